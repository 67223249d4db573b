"""Versioned changes of the tables (alembic)."""

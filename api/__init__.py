"""The doors: ingress, wire bodies, tables. Imports actors (handles), models (public types) and traffic."""

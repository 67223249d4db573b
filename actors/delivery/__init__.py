"""Delivery of facts to receivers: the policy, the sender and the values they share. No Ray, no SQL."""

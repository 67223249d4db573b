"""The callback protocol: bodies we send, exactly as the manual has them."""

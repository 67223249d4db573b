"""Neural networks: catalogue, engines, Serve deployments. Imports only the types of traffic."""

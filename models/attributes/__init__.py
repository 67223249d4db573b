"""Type and colour of vehicles, and the weather: networks, and the client and deployment around them."""

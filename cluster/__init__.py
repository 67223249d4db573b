"""Where Wayside runs: settings, command line and the composition root. May import every other room."""

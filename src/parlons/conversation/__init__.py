"""An agent talking with one person: the voice runtime's session over a port, its steps, tools and providers."""

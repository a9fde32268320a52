"""Local servers that speak the protocols of real providers, so that the real plug-ins are driven over real sockets."""

"""What the command line does, one module per family of commands. Only ``cli`` imports these."""

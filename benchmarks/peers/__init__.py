"""Other ways to do the same work, called by the same load generator in the same run."""

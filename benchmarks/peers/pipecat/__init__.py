"""The same conversation as a Pipecat pipeline, in a virtual environment of its own."""

"""Calls from a browser's page (WebRTC, RFC 8825): the only room that knows aiortc, which is loaded with the first."""

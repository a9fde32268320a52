"""What Parlons costs and how fast it answers, measured from outside over real SIP and RTP (see docs/benchmarks.md)."""

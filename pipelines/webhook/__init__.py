"""The receiver of post-call webhooks: an HTTP server that verifies a webhook and lands it like a fetched document.

What belongs here: reading requests, checking signatures, writing to the landing. What does not: flattening and building
(the next sync or Dagster's sensor does that), and requests to the vendor's API (``pipelines.api``).
"""

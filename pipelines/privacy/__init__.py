"""What leaves a document before or after it reaches the disk: credentials, personal data, redacted content.

Here belong pure functions from a document to a document. Not here: requests to the API (``pipelines.extract``) and the
rewriting of landed files (``warehouse.storage.erasure``).
"""

"""What leaves a document before it reaches the disk: credentials and personal data.

Here belong pure functions from a document or text to another. Not here: requests to the API (``pipelines.api``),
the redaction of what is landed (``pipelines.transform.redaction``), and the rewriting of landed files
(``warehouse.storage.erasure``).
"""

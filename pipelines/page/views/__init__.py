"""One module a page: what its numbers are called, which chart shows them, and where a mark leads."""

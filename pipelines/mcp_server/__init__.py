"""The warehouse as tools of the Model Context Protocol: what agents may ask, and the server that answers them."""

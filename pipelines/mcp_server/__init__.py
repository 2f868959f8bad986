"""The warehouse as tools of the Model Context Protocol: what assistants may ask, and the server that answers them."""

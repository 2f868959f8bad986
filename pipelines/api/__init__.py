"""The HTTP client of the ElevenLabs API: endpoints, retries, rate and concurrency limits, errors.

It returns response bodies, checked but not interpreted, and knows nothing of folders, tables or runs. What to request
is decided in ``pipelines.extract`` and ``pipelines.usecases``; documents are decoded in ``pipelines.transform``. No
other package imports httpx or aiohttp.
"""

import logging

# It logs whole addresses: that of the alerts' webhook is a secret, and a query can name a person.
logging.getLogger("httpx").setLevel(logging.WARNING)

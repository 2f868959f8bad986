"""The plain loop with the vendor's SDK, one JSON file a conversation: ``python sdk_loop.py URL FOLDER``."""

import sys
from pathlib import Path

from elevenlabs.client import ElevenLabs

url, folder = sys.argv[1], Path(sys.argv[2])
conversations = ElevenLabs(api_key="demo", base_url=url).conversational_ai.conversations
cursor, count = None, 0
while True:
    page = conversations.list(page_size=100, **({"cursor": cursor} if cursor else {}))
    for row in page.conversations:
        detail = conversations.get(row.conversation_id)
        (folder / f"{row.conversation_id}.json").write_text(detail.model_dump_json())
        count += 1
    cursor = page.next_cursor
    if not page.has_more:
        break
print(count)

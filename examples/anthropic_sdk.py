"""The official Anthropic SDK through the gateway: only base URL and API key change.

BYOK_URL=http://127.0.0.1:8000 BYOK_API_KEY=byok_… python examples/anthropic_sdk.py claude-sonnet-5-5
"""

import os
import sys

from anthropic import Anthropic

client = Anthropic(base_url=os.environ["BYOK_URL"], api_key=os.environ["BYOK_API_KEY"])
model = sys.argv[1] if len(sys.argv) > 1 else "claude-sonnet-5-5"

answer = client.messages.with_raw_response.create(
    model=model, max_tokens=100, messages=[{"role": "user", "content": "Say hello in one short sentence."}]
)
print("".join(block.text for block in answer.parse().content if block.type == "text"))
print("served by", answer.headers["x-byok-provider-key"], "as request", answer.headers["x-request-id"])

with client.messages.stream(
    model=model, max_tokens=100, messages=[{"role": "user", "content": "Count to three."}]
) as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)
print()

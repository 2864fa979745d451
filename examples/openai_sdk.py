"""The official OpenAI SDK through the gateway: only base URL and API key change, and models are `<provider>/<model>`.

BYOK_URL=http://127.0.0.1:8000 BYOK_API_KEY=byok_… python examples/openai_sdk.py openai/gpt-6.2-sol
"""

import os
import sys

from openai import OpenAI

client = OpenAI(base_url=f"{os.environ['BYOK_URL']}/v1", api_key=os.environ["BYOK_API_KEY"])
model = sys.argv[1] if len(sys.argv) > 1 else "openai/gpt-6.2-sol"

answer = client.chat.completions.with_raw_response.create(
    model=model, messages=[{"role": "user", "content": "Say hello in one short sentence."}]
)
print(answer.parse().choices[0].message.content)
print("served by", answer.headers["x-byok-provider-key"], "as request", answer.headers["x-request-id"])

stream = client.chat.completions.create(
    model=model, messages=[{"role": "user", "content": "Count to three."}], stream=True
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
print()

"""Call an agent over SIP, listen until it hangs up, and print what was heard: each phrase's likeness, 0 to 1.

    python console/browser/sip_call.py 127.0.0.1:5399 SECONDS USER PHRASE...

The caller hangs up after SECONDS. Run from the repository's root: the telephone is the tests' own.
"""

import asyncio
import contextlib
import json
import sys

from tests.sip.talking import sounds_like
from tests.support.audio import speech_seconds
from tests.support.phone import Phone


async def main(server: str, seconds: float, user: str, phrases: list[str]) -> None:
    async with Phone() as phone:
        call = phone.call(f"sip:{user}@{server}")
        answer = await call.invite()
        if answer.code == 200:
            with contextlib.suppress(TimeoutError):
                await call.wait_end(seconds)
            await call.leave()
        sound = call.rtp.heard()
        heard = {phrase: round(sounds_like(sound, phrase), 2) for phrase in phrases}
        print(json.dumps({"code": answer.code, "speechSeconds": speech_seconds(sound), "heard": heard}))


asyncio.run(main(sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4:]))

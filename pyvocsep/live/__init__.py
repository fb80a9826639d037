"""Sound card in, sound card out: vocals and accompaniment at levels of their own, turned while it plays.

`python -m pyvocsep.live` is the command. `mixer` is what runs inside PortAudio's callback, `ring` and
`playback` bring a file there, `session` opens the stream, and opens it again when a device vanishes.
"""

"""The page: the script that Streamlit runs for a visitor, and again after each thing the visitor does."""

from __future__ import annotations

import secrets
from typing import Any

import streamlit as st

import pyvocsep
from pyvocsep.clock import clock
from pyvocsep.models import DEFAULT_FOR_FILES
from pyvocsep.web import catalogue, pictures, player, settings
from pyvocsep.web.example import example_song
from pyvocsep.web.jobs import Job, Refusal, State
from pyvocsep.web.service import service
from pyvocsep.web.songs import Request, Song

_UPLOAD, _RECORD, _EXAMPLE = "Upload a song", "Record", "Try the example"
_POLL_S = 0.4


def main() -> None:
    """Lay out the page."""
    st.set_page_config(page_title="pyvocsep: vocals and accompaniment", page_icon="🎙️", layout="centered")
    st.title("Vocals and accompaniment")
    st.markdown(
        "Take a song apart into its voice and everything else; look at both, listen, mix them anew. "
        "Everything is computed on this machine's processor."
    )
    st.session_state.setdefault("visitor", secrets.token_hex(8))
    request = _choose_model(_choose_song())
    job: Job | None = st.session_state.get("job")
    busy = job is not None and job.is_active
    if st.button("Separate", type="primary", disabled=request is None or busy, icon=":material/call_split:"):
        _begin(request)
        st.rerun()
    if job is not None:
        _show_job(job)
    st.caption(
        "What you upload is kept in memory while you are here, and never stored. "
        f"pyvocsep {pyvocsep.__version__}"
    )


def _choose_song() -> tuple[str, bytes] | None:
    """Return name and content of what the visitor gives."""
    limits = settings.current()
    way = st.segmented_control(
        "Where the song comes from", [_UPLOAD, _RECORD, _EXAMPLE], default=_UPLOAD, key="way", required=True
    )
    if way == _EXAMPLE:
        song = example_song()
        st.caption(song.credit)
        return song.name, song.data
    given: Any
    if way == _RECORD:
        given = st.audio_input(
            "Sing, or hold the microphone to some music", sample_rate=44_100, key="recording"
        )
        return None if given is None else ("recording.wav", given.getvalue())
    given = st.file_uploader(
        f"WAV, FLAC, MP3, OGG, Opus or AIFF, mono or stereo, up to {limits.max_minutes:g} minutes",
        key="upload",
    )
    return None if given is None else (given.name, given.getvalue())


def _choose_model(song: tuple[str, bytes] | None) -> Request | None:
    entries = catalogue.entries()
    names = sorted(entries, key=lambda name: name != DEFAULT_FOR_FILES)
    columns = st.columns([3, 2], vertical_alignment="top")
    model = str(columns[0].selectbox("Model", names, key="model"))
    possible = catalogue.precisions(model)
    precision = possible[0]
    if len(possible) > 1:
        chosen = columns[1].selectbox(
            "Precision",
            possible,
            key="precision",
            help="Of the network's products. Shorter ones are faster, and change the vocals by some -40 dB.",
        )
        precision = str(chosen)
    st.caption(catalogue.line(entries[model], precision))
    return None if song is None else Request(*song, model, precision)


def _begin(request: Request | None) -> None:
    if request is None:
        return
    st.session_state["request"] = request.title
    try:
        st.session_state["job"] = service().submit(request, st.session_state["visitor"])
    except Refusal as refusal:
        st.session_state["job"] = Job(request.key, State.FAILED, error=str(refusal))


def _show_job(job: Job) -> None:
    if job.is_active:
        _progress(job)
    elif job.state is State.FAILED:
        st.error(job.error, icon=":material/error:")
    elif job.state is State.CANCELLED:
        st.info("Cancelled. Nothing was kept.", icon=":material/cancel:")
    else:
        song = service().song(job.key)
        if song is None:
            st.info("This song had to make room for those of other visitors. Separate it again.")
        else:
            _show_song(song, job)


@st.fragment(run_every=_POLL_S)
def _progress(job: Job) -> None:
    if not job.is_active:
        st.rerun()
    before = service().jobs.ask(job)
    if job.state is State.WAITING:
        text = f"Waiting: {before} {'song' if before == 1 else 'songs'} before yours."
    else:
        text = f"{clock(job.done_s)} of {clock(job.total_s)} · {job.speed:.0f} x real time"
    st.progress(min(1.0, job.done_s / job.total_s) if job.total_s else 0.0, text)
    if st.button("Cancel", key="cancel", icon=":material/close:"):
        service().jobs.cancel(job, st.session_state["visitor"])
        st.session_state["job"] = Job(job.key, State.CANCELLED)
        st.rerun()


def _show_song(song: Song, job: Job) -> None:
    st.header(_escaped(song.name))
    speed = f", separated at {job.speed:.0f} x real time" if job.speed else ""
    st.caption(
        f"{clock(song.seconds)}, {song.stems.sample_rate / 1000:g} kHz, "
        f"{'stereo' if song.channels == 2 else 'mono'}{speed}. "
        f"A voice sings in {pictures.share_with_voice(song):.0%} of it."
    )
    for note in song.notes:
        st.warning(_escaped(note))
    st.subheader("Listen, mix, take home")
    player.show(song, key=f"player-{song.token}")
    _look(song)


@st.fragment
def _look(song: Song) -> None:
    """The pictures; the range is chosen here, so that each view has all its points."""
    st.subheader("Look")
    begin, end = 0.0, song.seconds
    if song.seconds >= 2:
        begin, end = st.slider(
            "Seconds shown",
            0.0,
            song.seconds,
            (0.0, song.seconds),
            step=0.5,
            format="%.1f",
            key=f"range-{song.token}",
        )
        end = max(end, begin + 0.5)
    show_mask = st.toggle("Show the mask over the song: what was taken for voice", key="mask")
    st.plotly_chart(
        pictures.figure(song, begin, min(end, song.seconds), show_mask, zoom_by_drag=not _on_phone()),
        key="picture",
        config={"displayModeBar": False},
        alt="Vocal activity, waveforms and spectrograms of the song, the vocals and the accompaniment",
    )
    st.caption(
        "From the top: where a voice sings; waveforms; spectrograms, log frequency, "
        f"{pictures.RANGE_DB} dB from the loudest down. "
        + ("" if _on_phone() else "Drag to zoom into a time, double-click to see all.")
    )


def _on_phone() -> bool:
    """Whether a finger that moves over a picture means to scroll the page."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")


def _escaped(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]()#+-.!|<>~$:&" else letter for letter in text)


main()

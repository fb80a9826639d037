"""A page in the browser: separate a song, see it, hear it, mix it anew. `python -m pyvocsep.web` starts it.

`page` is the script that Streamlit runs for every visitor. It only lays things out; what it shows is made by
small modules that know nothing of Streamlit: `jobs` (the queue), `songs` (a separated song and its errors),
`thinning` and `pictures` (waveforms and spectrograms), `desk` (the mix), `downloads` (files).
"""

"""Whole collections, on one machine or many: `python -m pyvocsep.corpus SRC DST`.

`run` is the driver: it hands recordings to the workers of a Dask cluster, retries, and survives the loss of
the cluster. `work` is what a worker does with one recording. `places` are folders on any file system that
fsspec knows, `manifest` is the record of what is done, kept beside the stems.
"""

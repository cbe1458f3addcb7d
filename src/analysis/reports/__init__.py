"""What people open: the notebooks' Book, the papermill runner, and the pages it publishes.

A notebook speaks only to `Book`; `publish` runs the notebooks and collects what their books
recorded; `page` and `index` turn that into files which stand alone, without script or request.
"""

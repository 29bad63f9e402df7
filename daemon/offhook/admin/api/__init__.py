"""The resources below /api/v1, a file each. A file has ``routes``, and the views that it answers with.

Ids are texts there: as numbers they are longer than what JavaScript keeps exactly.
"""

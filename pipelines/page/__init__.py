"""The page that people look at: a small web application over the warehouse, and the same overview as a file.

It needs the packages of the extra ``page``, which are imported when a page is served or written. Numbers come from
``warehouse.serve.pages``; here is how they look, which address has them, and who may see them.
"""

from pipelines.environment import ensure_user_folder

ensure_user_folder()  # before altair is imported

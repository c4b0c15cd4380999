"""The web page: pages are functions of rows."""

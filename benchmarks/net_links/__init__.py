"""Two real Chromium over bad links, with our server and with Janus between them: `python -m benchmarks.net_links`."""

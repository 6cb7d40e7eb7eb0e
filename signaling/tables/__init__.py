"""Tables as files: XLSX and CSV read and written, QR codes drawn, all in a process of its own. No HTTP."""

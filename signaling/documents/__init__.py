"""Documents: DOCX files, laid out as public bodies do or by a body's own template, made in processes of their own."""

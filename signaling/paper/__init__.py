"""Paper: PDF files typeset from templates, in processes of their own."""

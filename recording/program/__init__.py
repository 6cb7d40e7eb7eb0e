"""The program: what screens, the public and the archive see and hear, composed once per consultation."""

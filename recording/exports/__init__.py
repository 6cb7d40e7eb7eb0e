"""What is made out of recordings when a consultation is over: one program file, files of persons, sound clips."""

"""The story of one sitting in Chinese, from the first word to frozen minutes."""

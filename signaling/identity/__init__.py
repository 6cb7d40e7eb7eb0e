"""Ways in which viewers show who they are: by telephone, through WeChat."""

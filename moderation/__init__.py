"""Comment moderation for blogs: publish, or hold for a person, with the reasons."""

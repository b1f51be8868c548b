"""A small blog to try the service on. It knows the service as any other blog would: over HTTP,
with `moderation.client`. Nothing else of ours is imported here, and tests hold that."""

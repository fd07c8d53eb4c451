"""Tries the addon's class in a project that was written for the engine's ENetMultiplayerPeer."""

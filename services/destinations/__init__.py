"""The systems outside to which documents and notes are delivered, behind one port."""

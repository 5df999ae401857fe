package ingest

// Held returns what requests hold while their bodies are being sent, oldest first, and
// how many bytes are free for others.
func (in *Intake) Held() (unfinished []int64, free int64) {
	m := in.bodies.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	free = m.total
	for _, l := range m.unfinished {
		unfinished = append(unfinished, l.held)
		free -= l.held
	}
	return unfinished, free
}

// Idle reports whether all memory has been given back.
func (in *Intake) Idle() bool {
	m := in.bodies.memory
	if !m.free.TryAcquire(m.total) {
		return false
	}
	m.free.Release(m.total)
	unfinished, _ := in.Held()
	return len(unfinished) == 0
}

// Room reports whether n more bytes are free.
func (in *Intake) Room(n int64) bool {
	m := in.bodies.memory
	if !m.free.TryAcquire(n) {
		return false
	}
	m.free.Release(n)
	return true
}

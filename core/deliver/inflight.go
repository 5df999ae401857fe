package deliver

import (
	"sync"

	"github.com/google/uuid"
)

// inflight knows what this process is working on. River's rows say what was running
// when they were last written, which after an outage of the database is not the same.
type inflight struct {
	mu   sync.Mutex
	jobs map[int64]struct{}
	// subjects are zero until they begin.
	subjects map[uuid.UUID]undertaking
}

// enter reports whether the subject of a job was free, and takes it. Only then must
// leave be called.
func (f *inflight) enter(job int64, subject uuid.UUID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, busy := f.subjects[subject]; busy {
		return false
	}
	if f.jobs == nil {
		f.jobs, f.subjects = map[int64]struct{}{}, map[uuid.UUID]undertaking{}
	}
	f.jobs[job], f.subjects[subject] = struct{}{}, undertaking{}
	return true
}

func (f *inflight) leave(job int64, subject uuid.UUID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.jobs, job)
	delete(f.subjects, subject)
}

// active returns the ids of the jobs being worked.
func (f *inflight) active() []int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	ids := make([]int64, 0, len(f.jobs))
	for id := range f.jobs {
		ids = append(ids, id)
	}
	return ids
}

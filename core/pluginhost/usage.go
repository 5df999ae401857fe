package pluginhost

import "time"

// usage is what a plugin's process and its descendants take.
type usage struct {
	// memory is their resident memory in bytes, without pages of files. What several of them
	// share counts for each.
	memory int64
	// cpu is the time that they have spent, the ended children for which they have waited
	// included.
	cpu time.Duration
	// processes is their number.
	processes int
	// threads is the number of all their threads.
	threads int
}

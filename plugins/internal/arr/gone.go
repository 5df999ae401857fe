package arr

import "strings"

// deleteReasons are all for which the applications delete a file. Readarr gives none.
//
// Radarr/Radarr, src/NzbDrone.Core/MediaFiles/DeleteMediaFileReason.cs at
// 1b9662d58823ff02b7162282e84e4aed95db0126, and the same file of the others.
func deleteReasons() []string {
	return []string{"missingFromDisk", "manual", "upgrade", "noLinkedEpisodes", "manualOverride", ""}
}

// fileGone is the fingerprint of a file's deletion.
func fileGone(path, reason string) string {
	return Fingerprint("file deleted", path, strings.ToLower(reason))
}

// Gone are the fingerprints of the webhooks that may tell that the title was deleted.
func (p *Payload) Gone(s Subject) []string {
	if f := s.fingerprint("deleted", p); f != "" {
		return []string{f}
	}
	return nil
}

// FileGone are the fingerprints of the webhooks that may tell that a file of the title was
// deleted.
func (s Subject) FileGone(f *File) []string {
	path := Path(s.Folder, f.RelativePath, f.Path)
	if path == "" {
		return nil
	}
	var all []string
	for _, reason := range deleteReasons() {
		all = append(all, fileGone(path, reason))
	}
	return all
}

// Package library works out what an application's library holds from its events, which
// come in any order and more than once.
//
// What is kept is a function of the set of events that were applied, and not of their
// order. Each field of a title, a part or a file has the value of the latest event that
// said one. Whether something is held is decided by the latest event that showed it and
// the latest that took it away. A path has the list of those who came to it and left it,
// since an application's history names renamed and deleted files by their paths alone.
// Events are ordered by their times, and those of one time by their ids.
package library

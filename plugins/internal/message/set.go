package message

// set holds values without doubles, in order.
type set[T any] struct {
	key func(T) string
	// added has what was removed, too. Places are those of what was not: to look for it in
	// each removal would take the square of the files of a group.
	added  []T
	places map[string]int
}

func (s *set[T]) add(values []T) {
	if s.places == nil {
		s.places = map[string]int{}
	}
	for _, v := range values {
		k := s.key(v)
		if _, known := s.places[k]; !known {
			s.places[k] = len(s.added)
			s.added = append(s.added, v)
		}
	}
}

func (s *set[T]) remove(values []T) {
	for _, v := range values {
		delete(s.places, s.key(v))
	}
}

func (s *set[T]) all() []T {
	if len(s.places) == len(s.added) {
		return s.added
	}
	var all []T
	for i, v := range s.added {
		if place, ok := s.places[s.key(v)]; ok && place == i {
			all = append(all, v)
		}
	}
	return all
}

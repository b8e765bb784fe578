package storetest

var getCases = map[string]func(*subject){
	"get/absent":                  func(s *subject) { s.absent("nothing") },
	"get/many in order":           getManyInOrder,
	"get/no keys":                 getNoKeys,
	"get/every byte":              getEveryByte,
	"get/values are the caller's": getOwnValues,
	"get/partitions are apart":    getPartitionsApart,
	"get/names that run together": getNamesRunTogether,
}

func getManyInOrder(s *subject) {
	s.mustApply(put("a", "1", 0), put("b", "2", 0))
	records, err := s.Get(s.Context(), partition, "b", "none", "a", "b")
	if err != nil {
		s.Fatal(err)
	}
	want := []string{"2", "", "1", "2"}
	if len(records) != len(want) || records[1].Key != "none" {
		s.Fatalf("got %v", records)
	}
	for i, r := range records {
		if string(r.Value) != want[i] || r.Exists() != (want[i] != "") {
			s.Errorf("record %d is %q, want %q", i, r.Value, want[i])
		}
	}
}

func getNoKeys(s *subject) {
	records, err := s.Get(s.Context(), partition)
	if err != nil || len(records) != 0 {
		s.Fatalf("got %v, %v", records, err)
	}
}

func getEveryByte(s *subject) {
	value := make([]byte, 0, 512)
	for i := range 256 {
		value = append(value, byte(i), byte(255-i))
	}
	s.mustApply(put("bytes", string(value), 0))
	s.holds("bytes", string(value), 1)
}

func getOwnValues(s *subject) {
	op := put("a", "value", 0)
	s.mustApply(op)
	copy(op.Value, "other")
	s.holds("a", "value", 1)
	copy(s.get("a").Value, "third")
	s.holds("a", "value", 1)
}

func getPartitionsApart(s *subject) {
	s.mustApply(put("a", "1", 0))
	if r := s.getIn("s:two", "a"); r.Exists() {
		s.Fatalf("s:two holds %q", r.Value)
	}
	if err := s.Apply(s.Context(), "s:two", put("a", "2", 0)); err != nil {
		s.Fatal(err)
	}
	s.holds("a", "1", 1)
}

// getNamesRunTogether has pairs that are one string when partition and key are
// joined carelessly.
func getNamesRunTogether(s *subject) {
	pairs := [][2]string{{"ab", "c"}, {"a", "bc"}, {"a:b", "c"}, {"a", "b:c"}, {"a", ":bc"}, {"A", "bc"}}
	for i, p := range pairs {
		if err := s.Apply(s.Context(), p[0], put(p[1], string(rune('0'+i)), 0)); err != nil {
			s.Fatalf("%v: %v", p, err)
		}
	}
	for i, p := range pairs {
		if r := s.getIn(p[0], p[1]); string(r.Value) != string(rune('0'+i)) {
			s.Errorf("%v holds %q, want %d", p, r.Value, i)
		}
	}
}

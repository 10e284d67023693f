# Counts the words of a text: one JSON object from the word, in lower case, to its number.
{
  words = split(tolower($0), word, /[^a-z]+/)
  for (i = 1; i <= words; i++)
    if (word[i] != "")
      ++count[word[i]]
}
END {
  printf "{"
  for (w in count)
    printf "%s\"%s\":%d", (started++ ? "," : ""), w, count[w]
  print "}"
}

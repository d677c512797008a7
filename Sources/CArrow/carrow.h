// Empty on purpose: Arrow C++ has no C header. The module exists for its flags, which pkg-config
// gives, and for the two libraries that it links. CParquet includes the C++ headers.
